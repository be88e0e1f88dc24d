//! Prints the random ledger of a seed as a file of one case.
fn main() -> Result<(), edgegrant_testkit::KitError> {
    let seed = std::env::args().nth(1).and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let shape = edgegrant_testkit::ledger::Shape { negative_usage: u64::is_multiple_of(seed, 4) };
    let case = edgegrant_testkit::ledger::case(seed, shape)?;
    println!("{}", edgegrant_testkit::ledger::text(&case)?);
    Ok(())
}
