"""Every coder that the harness knows, one module per family; nothing here is imported until it is named."""
