"""The OpenAI protocol, for the programs that speak it: thin views over the services of everything else."""
