//! Base64url without padding (RFC 4648 §5) for 32 bytes, which is all that keys need.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const LENGTH: usize = 43;

pub(super) fn encode(bytes: &[u8; 32]) -> String {
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    let digit = |index: usize| (0..6).fold(0, |value, place| value << 1 | bit(index * 6 + place));
    (0..LENGTH)
        .filter_map(|index| DIGITS.get(usize::from(digit(index))))
        .map(|d| char::from(*d))
        .collect()
}

/// Reads text that `encode` could have written, and no other.
pub(super) fn decode(text: &str) -> Option<[u8; 32]> {
    if text.len() != LENGTH {
        return None;
    }
    let mut bytes = [0; 32];
    for (index, digit) in text.bytes().enumerate() {
        let value = DIGITS.iter().position(|known| *known == digit)?;
        for place in (0..6).filter(|place| value >> (5 - place) & 1 == 1) {
            let at = index * 6 + place;
            *bytes.get_mut(at / 8)? |= 1 << (7 - at % 8);
        }
    }
    Some(bytes)
}
