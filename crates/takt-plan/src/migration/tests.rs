//! Which differences are made at start and which await `takt apply`.
