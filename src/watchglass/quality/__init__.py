"""How well it works: when an alert is final, what the limits of a charter say then, and how that was shown to hold."""
