//! Which modem, and how to answer.

use clap::Args;
use roles::Mac;

use crate::name;

/// Which interface, and how to answer.
#[derive(Args)]
pub struct TargetArgs {
    /// The network interface that the modem is connected to.
    #[arg(short, long, value_name = "IFACE", value_parser = name::Interface)]
    pub interface: String,
    /// One JSON object; nothing else on the standard output.
    #[arg(long)]
    pub json: bool,
}

/// Which modem, and how to answer.
#[derive(Args)]
pub struct OneModemArgs {
    #[command(flatten)]
    /// The interface.
    pub at: TargetArgs,
    /// A modem of the network, instead of the own one.
    #[arg(long, value_name = "MAC", value_parser = mac)]
    pub modem: Option<Mac>,
}

/// Six bytes in hexadecimal, with or without separators.
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
