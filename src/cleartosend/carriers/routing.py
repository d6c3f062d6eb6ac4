"""Which way a message goes: its route by number, type and sender, and each route's shares of carriers."""

from collections.abc import Mapping, Sequence

from cleartosend.model.carriers import EVERYTHING, Route
from cleartosend.model.verdicts import MessageType


class Routing:
    """The routes as configured, with the shares of their carriers as they are now."""

    def __init__(self, routes: Sequence[Route], carriers: Sequence[str]) -> None:
        self._routes = tuple(routes) or (Route(name=EVERYTHING, carriers=dict.fromkeys(carriers, 1)),)
        self.names = tuple(route.name for route in self._routes)
        self._only = self.names[0] if len(self._routes) == 1 and _fits_all(self._routes[0]) else None
        self._configured = {route.name: route.carriers for route in self._routes}
        self._shares = {
            name: {carrier: float(share) for carrier, share in shares.items()}
            for name, shares in self._configured.items()
        }
        # What each carrier of a route has coming, so that shares hold over many small choices.
        self._due = {name: dict.fromkeys(shares, 0.0) for name, shares in self._shares.items()}

    def route_of(self, *, number: str, iso: str, type_: MessageType, signature: str, sender_id: str) -> str | None:
        """The first route that fits, by its name; None: none does."""
        if self._only is not None:
            return self._only
        for route in self._routes:
            if (
                (not route.countries or iso in route.countries)
                and (not route.types or type_ in route.types)
                and (not route.signatures or signature in route.signatures)
                and (not route.senders or sender_id in route.senders)
                and (not route.prefixes or number.startswith(route.prefixes))
            ):
                return route.name
        return None

    def shares(self, route: str) -> Mapping[str, float]:
        """The weights of a route's carriers as they are now."""
        return self._shares[route]

    def configured(self, route: str) -> Mapping[str, int]:
        """The weights of a route's carriers as an operator wrote them down."""
        return self._configured[route]

    def set_share(self, route: str, carrier: str, share: float) -> None:
        self._shares[route][carrier] = share

    def takers(self, route: str, up: Sequence[str]) -> Sequence[str]:
        """
        Of the route's carriers that are up, those that its messages may go to.

        A carrier without a share gets none while one with a share is up, however full that one's window is. Where none
        is, those are asked first that never had a share; then those that were left.
        """
        shares = self._shares[route]
        return (
            [name for name in up if shares[name] > 0]
            or [name for name in up if not self._configured[route][name]]
            or up
        )

    def choose(self, route: str, able: Sequence[str]) -> str | None:
        """The carrier that the route's next messages go to, of those that are able: who has most coming."""
        if len(able) < 2:
            return able[0] if able else None
        due, weights = self._due[route], self._weights(route, able)
        whole = sum(weights.values())
        return max(able, key=lambda name: due[name] + weights[name] / whole)

    def count(self, route: str, able: Sequence[str], chosen: str, messages: int) -> None:
        """So many messages went to the one that was chosen, of those that were able."""
        if len(able) < 2:
            return
        due, weights = self._due[route], self._weights(route, able)
        whole = sum(weights.values())
        for name, weight in weights.items():
            due[name] += messages * weight / whole
        due[chosen] -= messages

    def _weights(self, route: str, able: Sequence[str]) -> Mapping[str, float]:
        """Where nobody able has a share, all are alike."""
        shares = self._shares[route]
        weights = {name: shares[name] for name in able}
        return weights if any(weights.values()) else dict.fromkeys(able, 1.0)


def _fits_all(route: Route) -> bool:
    return not (route.countries or route.prefixes or route.types or route.signatures or route.senders)
