"""What a user asks for, composed of engine steps."""
