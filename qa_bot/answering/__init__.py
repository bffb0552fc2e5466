"""A question to a cited answer: condense → retrieve → ground → cite → verify."""
