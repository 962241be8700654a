"""An edge server: it decodes, classifies and answers the pictures that arrive by their deadlines."""
