//! What the guard weaves into plans, told as text.

mod fixture;
mod guard;
