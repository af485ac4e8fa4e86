"""The file picker."""
