"""Personal data: what is sensitive, how it is stored, who sees what of it, and how it is kept out of the logs.

- ``classes``   C1, C2, C3 and the table of every classified field; what is refused (C3); card numbers in free text
- ``crypto``    ``encrypt(plain, aad)``, ``decrypt(token, aad)``; ``alg.kid.nonce.ct``; AES-256-GCM, SM4-GCM
- ``index``     ``blind_index(value, table, column, kind)``: full search over what is encrypted
- ``fields``    ``EncryptedText``, ``MaskedText``, ``PrintColumn``; ``seal``, ``open_sealed``; ``protect`` for the loader
- ``masks``     the one table of masks
- ``identity``  check digits of citizen numbers, credit codes, cards
- ``reveal``    the verb that shows one field for a minute
- ``rotation``  everything encrypted moves to the current key
- ``logs``      the filter and the formatter of every log line
"""
