"""Clients of the two protocols that models are served by. Only modules in here import anthropic or openai."""
