//! `decode HEX`: shows the DIN message in the payload of a V2GTP message.

use fastcharge::codec::din::V2gMessage;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let line = std::env::args().nth(1).ok_or("usage: decode HEX")?;
    let digits: Vec<u8> = line
        .chars()
        .map(|digit| {
            digit.to_digit(16).map(|value| value as u8).ok_or(format!("{digit:?} is no hexadecimal digit"))
        })
        .collect::<Result<_, _>>()?;
    let bytes: Vec<u8> =
        digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    let message = V2gMessage::decode(&bytes)?;
    println!("{}: {:?}", message.name().unwrap_or("no message"), message.body);
    Ok(())
}
