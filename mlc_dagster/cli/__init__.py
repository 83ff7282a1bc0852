"""`mlc`: a module for each command, a folder for each group of commands.

To add one: write the module, with its `app`, and give it a line in its folder's table (`app.py` here, `__init__.py`
in a group's). `shared/command_table.py` says what may be imported where.
"""
