"""The MLflow face: unmodified clients of MLflow read and write the record.

`door.py` is all that a cold start imports. The first request for a noun, such as experiments, imports the module that
registers its operations: name it in `door.MODULES`, and a new root with the depth of its paths in `door.DEPTHS`. The
other modules are shared: `operations.py` registers, `parse.py` has the bases of bodies and queries, `errors.py` has
MLflow's error form, `scope.py` finds the project of a request, `limits.py` has the limits of the protocol.
"""
