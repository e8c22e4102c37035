"""What must hold of personal data: nothing in the clear where a ciphertext belongs, and every ciphertext can be read."""

from crm.core.invariants import invariant
from crm.core.privacy import rotation

SAMPLE = 200


@invariant("I13", "Every encrypted column holds ciphertexts of keys that are at hand")
def ciphertexts_have_their_key() -> list[str]:
    return [
        # The prefix is not told: where plain text stands it would be somebody's number.
        f"{store}: {count} values are in the clear or under a key that is not at hand"
        for store in rotation.stores()
        for prefix, count in rotation.left_behind(store).items()
        if not rotation.known(prefix)
    ]


@invariant("I13", "A ciphertext opens in the row it stands in (first and last 200 of each column)")
def ciphertexts_stand_where_they_were_written() -> list[str]:
    return [
        f"{store}: row {key} does not open, it was changed or moved"
        for store in rotation.stores()
        for key in rotation.unreadable(store, SAMPLE)
    ]
