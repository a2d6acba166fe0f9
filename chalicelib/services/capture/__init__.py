"""SageMaker jobs as iterations. What SageMaker says of a job, and what its program logs, are one iteration."""
