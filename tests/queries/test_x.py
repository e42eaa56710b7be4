def test_x(survey):
    pass
def test_y(own_survey):
    pass
