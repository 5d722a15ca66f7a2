//! Encodes a charger's response in the charging loop: 398.5 V, 120 A, no limit reached.

use fastcharge::codec::din::{
    BodyElement, CurrentDemandRes, DcEvseStatus, DcEvseStatusCode, EvseNotification, IsolationLevel,
    PhysicalValue, ResponseCode, UnitSymbol, V2gMessage,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let status = DcEvseStatus {
        evse_isolation_status: Some(IsolationLevel::Valid),
        ..DcEvseStatus::new(DcEvseStatusCode::EvseReady, 0, EvseNotification::None)
    };
    let voltage = PhysicalValue::measurement(398_500, UnitSymbol::V)?; // mV
    let current = PhysicalValue::measurement(120_000, UnitSymbol::A)?; // mA
    let answer = CurrentDemandRes::new(ResponseCode::Ok, status, voltage, current, false, false, false);
    let message = V2gMessage::in_session(&[1, 2, 3, 4, 5, 6, 7, 8], BodyElement::CurrentDemandRes(answer));

    let mut buffer = [0; 64];
    let length = message.encode(&mut buffer)?;
    println!("{}", buffer.iter().take(length).map(|byte| format!("{byte:02x}")).collect::<String>());
    assert_eq!(V2gMessage::decode(&buffer[..length])?, message);
    Ok(())
}
