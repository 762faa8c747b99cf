"""Pure values that every floor above may use: no time, no randomness, no IO."""
