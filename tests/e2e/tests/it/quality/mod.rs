//! What the Salesforce tools are held to, all of them alike: values come back as they were given, errors say what would
//! have been right, nothing hidden is told, and orgs of every shape are met.

mod instructions;
mod least;
mod mended;
mod orgs;
mod repair;
mod round_trips;
mod shapes;
