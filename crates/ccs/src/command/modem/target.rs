//! Options that select a modem and the form of the output.

use clap::Args;
use roles::Mac;

use crate::name;

/// Options of every command that accesses a modem.
#[derive(Args)]
pub struct TargetArgs {
    /// Network interface to which the modem is connected.
    #[arg(short, long, value_name = "IFACE", value_parser = name::Interface)]
    pub interface: String,
    /// Prints one JSON object, and nothing else on standard output.
    #[arg(long)]
    pub json: bool,
}

/// Options of commands for one modem.
#[derive(Args)]
pub struct OneModemArgs {
    #[command(flatten)]
    /// The interface and the form of the output.
    pub at: TargetArgs,
    /// MAC address of another modem in the network. Default: the own modem.
    #[arg(long, value_name = "MAC", value_parser = mac)]
    pub modem: Option<Mac>,
}

/// Parses six bytes in hexadecimal, with or without separators.
fn mac(text: &str) -> Result<Mac, String> {
    let mut bytes = Vec::new();
    let wrong = "a modem's address has six bytes, such as 00:b0:52:12:34:56";
    crate::hex::parse(text.as_bytes(), &mut bytes).map_err(|_| wrong)?;
    let mac = <[u8; 6]>::try_from(bytes).map(Mac).map_err(|_| wrong)?;
    if mac.is_unicast() { Ok(mac) } else { Err("that is the address of a group, not of one modem".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_in_any_usual_form_and_a_group_is_refused() {
        for text in ["00:b0:52:00:00:01", "00B052000001", "00-b0-52-00-00-01"] {
            assert_eq!(mac(text), Ok(Mac([0, 0xB0, 0x52, 0, 0, 1])));
        }
        for text in ["", "00:b0:52", "00:b0:52:00:00:0g", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"] {
            assert!(mac(text).is_err(), "{text}");
        }
    }
}
