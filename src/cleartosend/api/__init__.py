"""The doors that programs come in by, one package a dialect."""
