from splitshare.placement.random_instances import Shape, random_fields, random_instances


def test_a_seed_means_the_same_instance_everywhere():
    """Recorded results speak of these instances by their digests."""
    (tiny,) = random_instances([5])
    (larger,) = random_instances([5], Shape(devices=(5, 5), modules=(15, 15), requests=(6, 6), heads=4))
    assert tiny.sha256() == "04888b789ef3566dde045e0ee4d907280c932079dde1e7a0d36c77fc159cce21"
    assert larger.sha256() == "92283c015d6df4abf4abd75310a8cdaa10abc1f47c78b8d536589068b319cdf5"


def test_the_shape_is_kept_and_fields_can_be_fixed():
    shape = Shape(devices=(4, 6), modules=(9, 11), requests=(5, 7), heads=3, most_encoders=2, missing_links=0.0)
    instances = random_instances(range(20), shape, routing="parallel")
    assert len(instances) == 20  # with every link, no source is cut off
    assert {len(i.devices) for i in instances} == {4, 5, 6}
    assert {len(i.modules) for i in instances} == {9, 10, 11}
    assert {len(i.requests) for i in instances} == {5, 6, 7}
    assert {len(r.encoders) for i in instances for r in i.requests} == {1, 2}
    assert {r.head for i in instances for r in i.requests} == {"m0", "m1", "m2"}
    assert {i.routing for i in instances} == {"parallel"}


def test_instances_that_are_cut_off_are_left_out():
    apart = Shape(devices=(2, 3), missing_links=1.0)
    kept = random_instances(range(40), apart)
    assert 0 < len(kept) < 40
    assert all(not random_fields(int(i.name.removeprefix("random-")), apart)["links"] for i in kept)
