// Runs a program of this project in Pyodide: node in_pyodide.mjs <the address of pyodide.mjs> <the project> <program>
const [address, project, program] = process.argv.slice(2);
const { loadPyodide } = await import(address);
const python = await loadPyodide();
python.mountNodeFS("/project", project);
python.runPython("import sys; sys.dont_write_bytecode = True; sys.path.insert(0, '/project')");
try {
  python.runPython(program);
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
}
