"""The embedded language model and embedder, Ollama, and the model catalogue."""
