//! Tests of the house itself.

mod map;
