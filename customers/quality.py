"""How good what the bank knows of a customer is, judged after a load for the customers it touched."""


def judge_touched(cursor, batch_id, on):
    return None
