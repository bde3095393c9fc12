"""What the notebooks import: workers and experiments (lessons), pictures and panels (show), and the instruments."""
