use exi_din::{
    BodyElement, DcEvErrorCode, DcEvStatus, DcEvseStatusCode, EvChargeParameter, EvseChargeParameter,
    EvseNotification, EvseProcessing, IsolationLevel, ResponseCode, V2gMessage,
};
use machine::Instant;

/// The facts of the present session that rules need: taken from the messages on the line, not from the
/// machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Facts {
    /// Time of the last request.
    pub heard: Option<Instant>,
    /// The charger has finished `ChargeParameterDiscovery`.
    pub parameters: bool,
    /// The charger had finished it in a session that is over, of whose end the car may not know yet.
    pub had_parameters: bool,
    /// The car's highest voltage in mV.
    pub car_max_mv: Option<i32>,
    /// The charger's highest voltage in mV.
    pub charger_max_mv: Option<i32>,
    /// Time of the first `CableCheckReq`.
    pub cable_check: Option<Instant>,
    /// The charger has reported a finished cable check with Valid or Warning.
    pub is_checked: bool,
    /// Time of the granted `PowerDelivery(true)`.
    pub power_on: Option<Instant>,
    /// Time at which power off was requested, or the session ended.
    pub power_off: Option<Instant>,
    /// Time of the charger's last response.
    pub answered: Option<Instant>,
    /// Time of the last `CurrentDemandReq` of this session that was not refused.
    pub demanded: Option<Instant>,
    /// The last requested current in mA; 0 after the end of power.
    pub asked_ma: i32,
    /// The car has recorded that it had to open its contactors under current.
    pub emergency_opening: bool,
    /// Time of the session's first request.
    pub began: Option<Instant>,
    /// The car has requested the end: by an error, by power off, or by the end of the session.
    pub is_ending: bool,
    /// The charger has refused a request, or reported that it cannot charge.
    pub charger_troubled: bool,
    /// The car has reported an error of its own.
    pub car_troubled: bool,
    /// The connection or its session ended while power was on.
    pub was_cut: bool,
    /// As `demanded`, for the request before.
    demanded_before: Option<Instant>,
    /// The `SessionID` in the charger's messages.
    session: Option<u64>,
    /// The request that waits for its response requests power on.
    wants_power: bool,
}

impl Facts {
    /// Takes the EXI document of a message in either direction; a document that is no DIN message is ignored.
    pub fn message(&mut self, now: Instant, payload: &[u8]) {
        let Ok(message) = V2gMessage::decode(payload) else { return };
        let Some(element) = &message.body.element else { return };
        let session = session(&message);
        if element.name().ends_with("Req") {
            self.request(now, element);
            self.heard = Some(now);
            if car_status(element).is_some_and(|status| status.ev_error_code != DcEvErrorCode::NoError) {
                (self.is_ending, self.car_troubled) = (true, true);
            }
            if matches!(element, BodyElement::CurrentDemandReq(_)) && session == self.session {
                (self.demanded_before, self.demanded) = (self.demanded, Some(now));
            }
        } else {
            self.session = session;
            self.response(now, element);
            self.answered = Some(now);
            self.charger_troubled |= is_trouble(element);
        }
    }

    /// The connection is closed, and its session with it.
    pub fn closed(&mut self, now: Instant) {
        *self = Self {
            power_off: Some(now),
            emergency_opening: self.emergency_opening,
            was_cut: self.was_cut || self.power_on.is_some(),
            had_parameters: self.parameters || self.had_parameters,
            ..Self::default()
        };
    }

    /// The stricter of both sides' voltage limits in mV; 0 before both have sent theirs.
    pub fn most_mv(&self) -> i32 {
        self.car_max_mv.unwrap_or(0).min(self.charger_max_mv.unwrap_or(0)).max(0)
    }

    fn request(&mut self, now: Instant, element: &BodyElement<'_>) {
        match element {
            BodyElement::SessionSetupReq(_) => {
                self.closed(now);
                (self.had_parameters, self.began) = (false, Some(now));
            }
            BodyElement::ChargeParameterDiscoveryReq(req) => {
                if let EvChargeParameter::Dc(dc) = &req.ev_charge_parameter {
                    self.car_max_mv = i32::try_from(dc.ev_maximum_voltage_limit.to_milli()).ok();
                }
            }
            BodyElement::CableCheckReq(_) => self.cable_check = self.cable_check.or(Some(now)),
            BodyElement::PowerDeliveryReq(req) => {
                self.wants_power = req.ready_to_charge_state;
                if !self.wants_power {
                    self.power_off(now);
                }
            }
            BodyElement::CurrentDemandReq(req) => {
                self.asked_ma = i32::try_from(req.ev_target_current.to_milli()).unwrap_or(i32::MAX);
            }
            BodyElement::SessionStopReq(_) => self.power_off(now),
            _ => (),
        }
    }

    fn response(&mut self, now: Instant, element: &BodyElement<'_>) {
        match element {
            BodyElement::ChargeParameterDiscoveryRes(res) => {
                if let EvseChargeParameter::Dc(dc) = &res.evse_charge_parameter {
                    self.charger_max_mv = i32::try_from(dc.evse_maximum_voltage_limit.to_milli()).ok();
                }
                self.parameters |=
                    is_granted(res.response_code) && res.evse_processing == EvseProcessing::Finished;
            }
            BodyElement::CableCheckRes(res) => {
                let is_good = matches!(
                    res.dc_evse_status.evse_isolation_status,
                    Some(IsolationLevel::Valid | IsolationLevel::Warning)
                );
                let is_finished = res.evse_processing == EvseProcessing::Finished;
                self.is_checked |= is_granted(res.response_code) && is_finished && is_good;
            }
            BodyElement::PowerDeliveryRes(res) if self.wants_power && is_granted(res.response_code) => {
                (self.power_on, self.power_off) = (Some(now), None);
            }
            // The request may be a repetition: the charger may have dropped the first one.
            BodyElement::CurrentDemandRes(res) if is_granted(res.response_code) => self.demanded = Some(now),
            BodyElement::CurrentDemandRes(_) => self.demanded = self.demanded_before,
            BodyElement::SessionStopRes(_) => self.closed(now),
            _ => (),
        }
    }

    fn power_off(&mut self, now: Instant) {
        self.is_ending = true;
        (self.power_on, self.power_off, self.demanded, self.asked_ma) = (None, Some(now), None, 0);
    }
}

/// The `SessionID` in a message's header.
fn session(message: &V2gMessage<'_>) -> Option<u64> {
    let mut id = [0; 8];
    message.header.session_id.copy_to(&mut id)?;
    Some(u64::from_le_bytes(id))
}

/// The car's status in a request; `None` if the request has none.
const fn car_status<'m>(element: &'m BodyElement<'_>) -> Option<&'m DcEvStatus> {
    match element {
        BodyElement::CableCheckReq(req) => Some(&req.dc_ev_status),
        BodyElement::PreChargeReq(req) => Some(&req.dc_ev_status),
        BodyElement::CurrentDemandReq(req) => Some(&req.dc_ev_status),
        _ => None,
    }
}

/// Whether a response reports that the charger does not charge, or stops charging.
fn is_trouble(element: &BodyElement<'_>) -> bool {
    let (code, status) = match element {
        BodyElement::CableCheckRes(res) => (res.response_code, &res.dc_evse_status),
        BodyElement::PreChargeRes(res) => (res.response_code, &res.dc_evse_status),
        BodyElement::CurrentDemandRes(res) => (res.response_code, &res.dc_evse_status),
        _ => return false,
    };
    let is_able = matches!(
        status.evse_status_code,
        DcEvseStatusCode::EvseReady
            | DcEvseStatusCode::EvseNotReady
            | DcEvseStatusCode::EvseIsolationMonitoringActive
    );
    !is_granted(code) || !is_able || status.evse_notification == EvseNotification::StopCharging
}

fn is_granted(code: ResponseCode) -> bool {
    !code.is_failed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_followed_by_its_messages_and_forgotten_at_its_end() {
        let mut facts = Facts::default();
        // PreChargeReq and SessionStopRes of a Hyundai Ioniq's session, as captured.
        let precharge = [
            0x80, 0x9a, 0x02, 0x1a, 0x3d, 0x73, 0x30, 0x88, 0x03, 0x4d, 0xa2, 0x91, 0x51, 0x40, 0x02, 0x81,
            0x01, 0x40, 0xc8, 0x0c, 0x0c, 0x00, 0x40,
        ];
        facts.message(Instant::from_millis(5), &precharge);
        assert_eq!(facts.heard, Some(Instant::from_millis(5)));
        facts.message(Instant::from_millis(6), &[1, 2, 3]);
        assert_eq!(facts.heard, Some(Instant::from_millis(5)));
        facts.closed(Instant::from_millis(7));
        assert_eq!((facts.heard, facts.power_off), (None, Some(Instant::from_millis(7))));
    }
}
