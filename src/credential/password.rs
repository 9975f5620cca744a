//! Random passwords.

use std::fs::File;
use std::io::Read;

use anyhow::{Context, Result};

/// 24 letters and digits: about 142 bits, and nothing that a file or a shell has to escape.
///
/// # Errors
/// When `/dev/urandom` cannot be read.
pub fn random() -> Result<String> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut source = File::open("/dev/urandom").context("cannot open /dev/urandom")?;
    let mut out = String::new();
    let mut byte = [0_u8; 1];
    while out.len() < 24 {
        source.read_exact(&mut byte).context("cannot read /dev/urandom")?;
        // 248 is the largest multiple of 62 in a byte: beyond it, some letters would be likelier.
        if byte[0] < 248 {
            out.push(char::from(ALPHABET[usize::from(byte[0]) % ALPHABET.len()]));
        }
    }
    Ok(out)
}
