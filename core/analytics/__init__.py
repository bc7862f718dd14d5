"""What the clinic looks at: each figure is one function here, and its definition is its docstring."""
