"""The routes that front ends of the workbench call: thin views over the same services as version 1."""
