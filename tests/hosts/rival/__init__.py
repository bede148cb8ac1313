"""A host with class names, choices and routes that are also ours."""
