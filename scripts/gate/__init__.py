"""Do transfers become slower from one stack to another: both measured in turn, and a verdict.

gate.py calls it, and the report shows its calibrations. What is measured is in running.py,
measuring.py, sides.py and turns.py; what follows from it in verdict.py, findings.py and
decision.py, which need no machine; how that is said in answer.py.
"""
