"""What gate.py is made of: measuring in turns, the verdict, its calibration, the history's steps."""
