"""Ways out of the house: signed webhooks and MQTT. Each sends one notice at a time, and says when it could not."""
