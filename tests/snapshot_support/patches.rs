//! Deltas and patches once more, written from docs/FORMAT.md and not from the code.

/// The front of every delta.
pub const MAGIC: &[u8] = b"EGD\x01";

/// A part of a delta: its name, and its bytes or a patch.
pub fn told(name: &[u8; 32], bytes: &[u8], is_patch: bool) -> Vec<u8> {
    let told = 2 * bytes.len() as u32 + u32::from(is_patch);
    [name.as_slice(), &told.to_le_bytes(), bytes].concat()
}

/// A patch that takes what both begin and end with from the old, and the rest as it is.
pub fn patch(old: &[u8], new: &[u8]) -> Vec<u8> {
    let alike = |(one, other): &(&u8, &u8)| one == other;
    let front = old.iter().zip(new).take_while(alike).count();
    let (behind, rest) = (&old[front..], &new[front..]);
    let back = behind.iter().rev().zip(rest.iter().rev()).take_while(alike).count();
    let middle = &rest[..rest.len() - back];
    let ahead = (old.len() - back) as i64 - (front + middle.len()) as i64;
    let zigzag = if ahead < 0 { -2 * ahead - 1 } else { 2 * ahead };
    let mut out = varint(new.len() as u64);
    out.extend(step(COPY, front as u64));
    out.extend(step(INSERT, middle.len() as u64));
    out.extend(middle);
    out.extend(step(MOVE, zigzag as u64));
    out.extend(step(COPY, back as u64));
    out
}

pub const INSERT: u64 = 0;
pub const COPY: u64 = 1;
pub const MOVE: u64 = 2;
pub const SHIFT: u64 = 3;

pub fn step(kind: u64, count: u64) -> Vec<u8> {
    varint(4 * count + kind)
}

pub fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 128 {
        out.push((value % 128) as u8 + 128);
        value /= 128;
    }
    out.push(value as u8);
    out
}

/// What a patch makes of some bytes, a byte at a time.
pub fn apply(old: &[u8], patch: &[u8]) -> Option<Vec<u8>> {
    let rest = &mut &*patch;
    let length = read(rest)?;
    let (mut out, mut at) = (Vec::new(), 0_i128);
    while !rest.is_empty() {
        let step = read(rest)?;
        let count = step / 4;
        let by = match step % 4 {
            2 => {
                at += if count % 2 == 0 { count as i128 / 2 } else { -(count as i128) / 2 - 1 };
                if at < 0 {
                    return None;
                }
                continue;
            }
            0 => {
                if count > length || count as usize > rest.len() {
                    return None;
                }
                let (bytes, after) = rest.split_at(count as usize);
                out.extend(bytes);
                *rest = after;
                at += i128::from(count);
                continue;
            }
            1 => 0,
            _ => read(rest)?,
        };
        let width = if step % 4 == 3 { 3 } else { 1 };
        if i128::from(count) * width > (old.len() as i128 - at).max(0) {
            return None;
        }
        for _ in 0..count {
            let mut number = 0;
            for byte in 0..width {
                number += u64::from(old[at as usize]) << (8 * byte);
                at += 1;
            }
            let number = number.wrapping_add(by);
            (0..width).for_each(|byte| out.push((number >> (8 * byte)) as u8));
            if out.len() as u64 > length {
                return None;
            }
        }
    }
    (length <= 1_048_576 && out.len() as u64 == length).then_some(out)
}

/// A varint of at most 64 bits.
fn read(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u128;
    for group in 0..15 {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u128::from(byte % 128) << (7 * group);
        if *byte < 128 {
            return u64::try_from(value).ok();
        }
    }
    None
}
