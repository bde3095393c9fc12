"""What learners' programs do besides being right or wrong, put in place of the part that is theirs; after `till`."""

DIES = "import os\n\n\ndef put_in(till, amount):\n    os._exit(3)\n"
RAISES = "def put_in(till, amount):\n    till.vallue += amount\n"
LOOPS = "def put_in(till, amount):\n    while True:\n        pass\n"
LOOKS_FOR_EVER = "def put_in(till, amount):\n    while till.value >= 0:\n        pass\n"
TAKES_TURNS_FOR_EVER = "def put_in(till, amount):\n    while True:\n        till.value += amount\n"
LOOPS_AT_IMPORT = "while True:\n    pass\n"
ASKS = "def put_in(till, amount):\n    input('how much? ')\n"
LEAVES = "raise SystemExit(0)\n"
DEFINES_NOTHING = "x = 1\n"
NO_PYTHON = "def put_in(:\n"
LEAKS = (
    "import os\nfrom multiprocessing import shared_memory\n\n\ndef put_in(till, amount):\n    with till.get_lock():\n"
    "        till.value += amount\n\n\nshared_memory.SharedMemory(f'leaked_{os.getpid()}', create=True, size=10)\n"
)
CHEATS = "def put_in(till, amount):\n    till.value += amount\n\n\ndef program():\n    return 20\n"
