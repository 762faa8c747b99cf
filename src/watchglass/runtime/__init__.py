"""What runs on: workers, the supervisor, the sequencer, retention."""
