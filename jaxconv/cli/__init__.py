"""The commands of `jaxconv`, a file each."""
