"""What all commands share: arguments, units, errors and advice, tables, and the choice of a board."""
