"""A host whose jobs are killed: three kinds of queues, leases of two seconds, and capabilities that leave traces."""
