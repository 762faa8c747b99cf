"""Sealed evidence: originals that only permitted sets of custodians can open. Bytes in, bytes out.

``subsets``   which sets of custodians may open
``header``    what stands before the ciphertext of a sealed segment
``keys``      which keys may be relied on: custodians' of the month, a person's that oversight enrolled
``shares``    the data key, split for each permitted set, and put together again
``envelope``  sealing in memory, and opening, wholly or in part
``custody``   what custodians hand on: bundles of shares, sealed anew
``release``   what their machines check first, and what an approval says
``manifest``  what goes with an export; ``chain`` verifies it years later, without the house
"""
