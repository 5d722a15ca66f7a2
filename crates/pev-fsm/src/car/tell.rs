//! Events and log messages.

use session::{Checkpoint, Direction, Exchange, Message, Phase, Target, Values};

use super::Car;
use crate::Event;
use crate::request::{Content, Request, Response};

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
        let exchange = request.exchange;
        let has_status = !matches!(
            exchange,
            Exchange::Handshake
                | Exchange::SessionSetup
                | Exchange::ServiceDiscovery
                | Exchange::ServiceSelection
                | Exchange::Authorisation
                | Exchange::SessionStop
        );
        let values = Values {
            target: matches!(exchange, Exchange::PreCharge | Exchange::CurrentDemand)
                .then_some(request.target),
            soc_percent: Some(request.vehicle.soc_percent).filter(|_| has_status),
            car_error: Some(request.vehicle.error).filter(|error| has_status && *error != 0),
            power_on: match exchange {
                Exchange::PowerOn => Some(true),
                Exchange::PowerOff => Some(false),
                _ => None,
            },
            limits: (exchange == Exchange::ChargeParameters).then_some(request.vehicle.limits),
            ..Values::default()
        };
        let (direction, name) = (Direction::Sent, self.names(exchange).request);
        let checkpoint = exchange.row().request.sent;
        self.events.push(Event::Message(Message { direction, name, checkpoint, values }));
    }

    pub(super) fn tell_response(&mut self, exchange: Exchange, response: &Response) {
        let status = response.content.status();
        let (present, limits) = match &response.content {
            Content::Voltage { present_mv, .. } => {
                (Some(Target { voltage_mv: *present_mv, current_ma: 0 }), None)
            }
            Content::CurrentDemand { present, .. } => (Some(*present), None),
            Content::ChargeParameters { charger: Some((_, limits)), .. } => (None, Some(*limits)),
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
        let is_its = response.name == self.names(exchange).response;
        let checkpoint = exchange.row().response.received.filter(|_| is_its);
        let direction = Direction::Received;
        self.events.push(Event::Message(Message { direction, name: response.name, checkpoint, values }));
    }
}
