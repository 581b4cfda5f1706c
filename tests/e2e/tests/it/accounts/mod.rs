//! Accounts at the dev org, from the sign-in to the end, through the store and with the real connector.

#[path = "../../../../../host/connect/tests/it/browser.rs"]
mod browser;

mod attacks;
mod flows;
mod kept;
mod office;
mod pages;
mod processes;
mod refusals;
mod renewal;
mod taken;
mod visitor;
