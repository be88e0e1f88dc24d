//! The targets, one for each thing that comes from outside.

mod catalogue;
mod delta;
mod facts;
mod head;
mod node;
mod pack;
mod page;
mod slice;

/// A function that takes any bytes, and the inputs to start from.
#[derive(Debug)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Panics when an input is not handled as it should be.
    pub run: fn(&[u8]),
    /// Inputs that reach far.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "head", run: head::run, seeds: head::seeds },
    Target { name: "catalogue", run: catalogue::run, seeds: catalogue::seeds },
    Target { name: "page", run: page::run, seeds: page::seeds },
    Target { name: "node", run: node::run, seeds: node::seeds },
    Target { name: "pack", run: pack::run, seeds: pack::seeds },
    Target { name: "slice", run: slice::run, seeds: slice::seeds },
    Target { name: "delta", run: delta::run, seeds: delta::seeds },
    Target { name: "facts", run: facts::run, seeds: facts::seeds },
];

/// An input that begins with the byte by which a target chooses what to do with the rest.
fn with_mode(mode: u8, rest: &[u8]) -> Vec<u8> {
    [&[mode], rest].concat()
}
