//! What people and logs are told.

use session::{Checkpoint, Direction, Message, Phase, Target, Values};

use super::Car;
use crate::Event;
use crate::request::{Content, Kind, Request, Response};

impl Car {
    pub(super) fn set_phase(&mut self, phase: Phase) {
        if phase != self.phase {
            self.phase = phase;
            self.events.push(Event::Phase(phase));
        }
    }

    pub(super) fn checkpoint(&mut self, checkpoint: Checkpoint) {
        self.events.push(Event::Checkpoint(checkpoint));
    }

    pub(super) fn tell_request(&mut self, request: &Request) {
        let kind = request.kind;
        let row = kind.row();
        let has_status = !matches!(
            kind,
            Kind::Handshake
                | Kind::SessionSetup
                | Kind::ServiceDiscovery
                | Kind::PaymentSelection
                | Kind::Authentication
                | Kind::SessionStop
        );
        let values = Values {
            target: matches!(kind, Kind::PreCharge | Kind::CurrentDemand).then_some(request.target),
            soc_percent: Some(request.vehicle.soc_percent).filter(|_| has_status),
            car_error: Some(request.vehicle.error).filter(|error| has_status && *error != 0),
            power_on: match kind {
                Kind::PowerOn => Some(true),
                Kind::PowerOff => Some(false),
                _ => None,
            },
            limits: (kind == Kind::ChargeParameter).then_some(request.vehicle.limits),
            ..Values::default()
        };
        let (direction, checkpoint) = (Direction::Sent, Some(row.sent));
        self.events.push(Event::Message(Message { direction, name: row.request, checkpoint, values }));
    }

    pub(super) fn tell_response(&mut self, kind: Kind, response: &Response) {
        let status = response.content.status();
        let (present, limits) = match &response.content {
            Content::Voltage { present_mv, .. } => {
                (Some(Target { voltage_mv: *present_mv, current_ma: 0 }), None)
            }
            Content::CurrentDemand { present, .. } => (Some(*present), None),
            Content::ChargeParameter { charger: Some((_, limits)), .. } => (None, Some(*limits)),
            _ => (None, None),
        };
        let values = Values {
            code: Some(response.code),
            finished: response.content.finished(),
            status: status.map(|told| told.status),
            isolation: status.and_then(|told| told.isolation),
            present,
            limits,
            ..Values::default()
        };
        let row = kind.row();
        let checkpoint = Some(row.received).filter(|_| response.name == row.response);
        let direction = Direction::Received;
        self.events.push(Event::Message(Message { direction, name: response.name, checkpoint, values }));
    }
}
