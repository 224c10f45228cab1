"""The parts of `tryton.py`: folders, preparation, server, questions. `fill.py` alone runs inside the venv."""
