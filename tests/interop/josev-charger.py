"""Josev's charger with a power stage of 500 V, 125 A and 50 kW behind it, until SIGTERM.
josev-charger.py STARTER   (STARTER: josev.py; the environment as Josev reads it)

The protocol is Josev's, unchanged. Its own simulated hardware offers 40 V at most and reports 1 V for ever, so a car
with a battery of 400 V rightly refuses it; here that hardware is replaced, through the interface that is meant for it.
"""

import math
import os
import runpy
import sys
import time

import iso15118.secc.main as charger
from iso15118.shared.messages.datatypes import (
    PVEVSEMaxCurrentLimit,
    PVEVSEMaxPowerLimit,
    PVEVSEMaxVoltageLimit,
    PVEVSEMinCurrentLimit,
    PVEVSEMinVoltageLimit,
)

MAX_V, MAX_A, MAX_W = 500, 125, 50_000
MIN_V, MIN_A = 50, 0
CABLE_CHECK_S = 1.0
RISE_V_PER_S = 200.0  # without a load
DISCHARGE_S = 0.3  # time constant once power is off


class Charger(charger.SimEVSEController):
    """Rises to the precharge's voltage, then gives the battery's voltage and the current that is asked for."""

    def __init__(self):
        super().__init__()
        self.voltage, self.current, self.goal = 0.0, 0.0, 0.0
        self.seen = self.check_ends = time.monotonic()

    def advance(self):
        now = time.monotonic()
        passed, self.seen = now - self.seen, now
        if self.goal == 0:
            self.voltage *= math.exp(-passed / DISCHARGE_S)
        else:
            most = RISE_V_PER_S * passed
            self.voltage += max(-most, min(most, self.goal - self.voltage))
        # A physical value of DIN SPEC 70121 has a resolution of a tenth here.
        self.evse_data_context.present_voltage = round(self.voltage, 1)
        self.evse_data_context.present_current = round(self.current, 1)

    async def get_dc_charge_parameters(self):
        parameters = await super().get_dc_charge_parameters()
        return parameters.copy(
            update={
                "evse_maximum_voltage_limit": await self.get_evse_max_voltage_limit(),
                "evse_maximum_current_limit": await self.get_evse_max_current_limit(),
                "evse_maximum_power_limit": await self.get_evse_max_power_limit(),
                "evse_minimum_voltage_limit": PVEVSEMinVoltageLimit(multiplier=0, value=MIN_V, unit="V"),
                "evse_minimum_current_limit": PVEVSEMinCurrentLimit(multiplier=0, value=MIN_A, unit="A"),
            }
        )

    async def get_evse_max_voltage_limit(self):
        return PVEVSEMaxVoltageLimit(multiplier=0, value=MAX_V, unit="V")

    async def get_evse_max_current_limit(self):
        return PVEVSEMaxCurrentLimit(multiplier=0, value=MAX_A, unit="A")

    async def get_evse_max_power_limit(self):
        return PVEVSEMaxPowerLimit(multiplier=1, value=MAX_W // 10, unit="W")

    async def start_cable_check(self):
        self.check_ends = time.monotonic() + CABLE_CHECK_S

    async def get_cable_check_status(self):
        if time.monotonic() < self.check_ends:
            return None  # still measuring
        return await super().get_cable_check_status()

    async def send_charging_command(self, ev_target_voltage, ev_target_current, is_precharge=False, **_):
        self.advance()
        if is_precharge:
            self.goal = min(float(ev_target_voltage), MAX_V)
        else:  # the battery holds the voltage that it has
            self.current = max(0.0, min(float(ev_target_current), MAX_A, MAX_W / max(self.voltage, 1.0)))
        self.advance()

    async def stop_charger(self):
        self.advance()
        self.goal, self.current = 0.0, 0.0

    async def get_evse_present_voltage(self, protocol):
        self.advance()
        return await super().get_evse_present_voltage(protocol)


charger.SimEVSEController = Charger
os.environ["PEER_TRACK"] = "0"  # the starter has hardware of its own otherwise
sys.argv = [sys.argv[1], "secc"]
runpy.run_path(sys.argv[0], run_name="__main__")
