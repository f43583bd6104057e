"""What gate.py is made of: measuring in turns, the verdict, how sure it is, the history."""
