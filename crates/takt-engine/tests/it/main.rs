//! The engine on a real store: actions, stories, kept answers, history, migrations at start.

mod action;
mod audit;
mod history;
mod house;
mod migrate;
